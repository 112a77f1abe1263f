/** Which revision gets a request: exact shares per request, or by a header. */

export interface Share {
  readonly revision: string;
  /** 0 to 10,000; only the ratio to the others counts. */
  readonly weight: number;
}

/** A request whose header has this value goes to that revision, whatever the weights. */
export interface HeaderRule {
  readonly name: string;
  readonly value: string;
  readonly revision: string;
}

/**
 * Smooth weighted round robin: each request adds every weight to its revision's credit, the largest credit wins and pays
 * the sum. After any number of requests each revision is within one request of its exact share, and a share of 1 % comes
 * as every hundredth request and not as a row of ten in a thousand.
 */
export class WeightedSplit {
  #shares: readonly Share[] = [];
  readonly #credit = new Map<string, number>();

  /** New weights. Credit is kept where a revision stays, so that changing weights often does not favour the first one. */
  set(shares: readonly Share[]): void {
    this.#shares = shares;
    for (const revision of this.#credit.keys())
      if (!shares.some((share) => share.revision === revision)) this.#credit.delete(revision);
  }

  /** The revision of the next request among those that may get one; undefined when none may. */
  next(mayServe: (revision: string) => boolean): string | undefined {
    let chosen: string | undefined;
    let most = Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (const { revision, weight } of this.#shares) {
      if (weight <= 0 || !mayServe(revision)) continue;
      sum += weight;
      const credit = (this.#credit.get(revision) ?? 0) + weight;
      this.#credit.set(revision, credit);
      if (credit > most) {
        most = credit;
        chosen = revision;
      }
    }
    if (chosen !== undefined) this.#credit.set(chosen, most - sum);
    return chosen;
  }
}

/** The revision that a header asks for; undefined when none does. Names are lower case. */
export const revisionByHeader = (
  rules: readonly HeaderRule[],
  headers: Readonly<Record<string, string | string[] | undefined>>,
): string | undefined => rules.find(({ name, value }) => headers[name.toLowerCase()] === value)?.revision;
