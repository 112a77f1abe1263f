/** The findings of one request or answer: all of them counted, the first few told in words. */
import type { Findings } from './judge.ts';
import type { Action, Breach, Finding, Rule, Side } from './types.ts';
import { flagOf, sentenceOf } from './words.ts';

/** A rule that a request or its answer broke, in the words of the contract: nothing in it comes from a caller. */
export interface BrokenRule {
  readonly side: Side;
  readonly tensor: string;
  readonly rule: Breach;
  readonly action: Action;
}

/** Told once per request and broken rule, with the number of elements or rows that broke it. */
export type CountFinding = (broken: BrokenRule, count: number) => void;

/** How many findings of one request are told in words, of each action. */
const maxTold = 8;

export class RequestFindings implements Findings {
  readonly #told: Record<Action, Finding[]> = { Reject: [], Flag: [] };
  readonly #totals: Record<Action, number> = { Reject: 0, Flag: 0 };
  #isCut = false;
  readonly #counts = new Map<Rule, Map<Breach, number>>();

  count(rule: Rule, breach: Breach, times: number, isCut: boolean): void {
    this.#totals[rule.action] += times;
    let counts = this.#counts.get(rule);
    if (counts === undefined) {
      counts = new Map();
      this.#counts.set(rule, counts);
    }
    counts.set(breach, (counts.get(breach) ?? 0) + times);
    this.#isCut ||= isCut;
  }

  wants(action: Action): boolean {
    return this.#told[action].length < maxTold;
  }

  keep(finding: Finding): void {
    this.#told[finding.action].push(finding);
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  /** True when a rule was broken that rejects. */
  get rejects(): boolean {
    return this.#totals.Reject > 0;
  }

  /** Adds them to the counters. */
  report(countFinding: CountFinding): void {
    for (const [{ side, spec, action }, counts] of this.#counts)
      for (const [rule, count] of counts) countFinding({ side, tensor: spec.name, rule, action }, count);
  }

  /** The findings that only flag, for the answer's header. */
  flags(): readonly string[] {
    const flags = this.#told.Flag.map(flagOf);
    const more = this.#totals.Flag - flags.length;
    return more > 0 ? [...flags, this.#andMore(more)] : flags;
  }

  /** The findings that reject, in words. */
  sentences(): string {
    const told = this.#told.Reject.map(sentenceOf);
    const more = this.#totals.Reject - told.length;
    return `${told.join('; ')}${more > 0 ? `; ${this.#andMore(more)}` : ''}`;
  }

  #andMore(count: number): string {
    return `and ${this.#isCut ? 'at least ' : ''}${count} more`;
  }
}
