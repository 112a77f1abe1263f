/** Subresources beside status and scale: logs, eviction, finalize, tokens. */
import { noSuchPath } from '../status-error.ts';
import type { Exchange } from './exchange.ts';

/** Serves a request on a subresource. */
export async function handleSubresource(_exchange: Exchange): Promise<void> {
  throw noSuchPath();
}
