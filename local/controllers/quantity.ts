/** Quantities as the scheduler and the kubelet count them. */
import { quantityNumber } from '../../crds/values.ts';

/** Cores or bytes of a quantity; undefined for none or for one that does not parse. */
export function amountOf(quantity: string | number | undefined): number | undefined {
  if (quantity === undefined) return undefined;
  try {
    return quantityNumber(quantity);
  } catch {
    return undefined;
  }
}
