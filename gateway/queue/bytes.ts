/** How many bytes of requests the gateway keeps, of all models and of each: one model's flood leaves room for the others. */

export class ByteBudget {
  readonly #total: number;
  readonly #perModel: number;
  #held = 0;

  constructor(total: number, perModel: number) {
    this.#total = total;
    this.#perModel = Math.min(perModel, total);
  }

  get held(): number {
    return this.#held;
  }

  /** A model's own part. */
  share(): ByteShare {
    let mine = 0;
    return {
      take: (bytes) => {
        // Whoever holds nothing may hold one request: no flood of others keeps a model from being asked.
        if (mine > 0 && (mine + bytes > this.#perModel || this.#held + bytes > this.#total)) return false;
        mine += bytes;
        this.#held += bytes;
        return true;
      },
      give: (bytes) => {
        mine -= bytes;
        this.#held -= bytes;
      },
      get held() {
        return mine;
      },
    };
  }
}

export interface ByteShare {
  /** Takes so many bytes; false when there is no room for them. */
  take(bytes: number): boolean;
  give(bytes: number): void;
  readonly held: number;
}
