/** `scaling.maxHourlyCost`: the most replicas that a price per hour allows, never fewer than are guaranteed. */

export interface CostCap {
  /** Most replicas; unknown while nobody knows what one costs: then nothing is capped, and that is said. */
  readonly replicas: number | 'unknown';
  readonly sentence: string;
}

/** The cap for at most `most` per hour at `price` per replica and hour; minReplicas is guaranteed even beyond it. */
export function costCapOf(most: number, price: number | 'unknown', minReplicas: number): CostCap {
  if (price === 'unknown')
    return {
      replicas: 'unknown',
      sentence: `maxHourlyCost ${most} is not in effect, since the price of a replica is unknown: write cost.perReplicaHour`,
    };
  // Decimal prices have no exact binary form: 0.3 / 0.1 is to be 3.
  const paid = price === 0 ? Number.POSITIVE_INFINITY : Math.floor(most / price + 1e-9);
  const pays = `maxHourlyCost ${most} at ${price} per replica and hour pays ${Number.isFinite(paid) ? paid : 'any number'}`;
  return paid >= minReplicas
    ? { replicas: paid, sentence: pays }
    : { replicas: minReplicas, sentence: `${pays}, but minReplicas ${minReplicas} is guaranteed` };
}
