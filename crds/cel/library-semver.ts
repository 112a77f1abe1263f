/** `semver(…)` of Kubernetes' CEL library. */
import type { Environment } from '@marcbachmann/cel-js';

const pattern =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

class Semver {
  readonly parts: readonly bigint[];
  readonly prerelease: readonly string[];

  constructor(parts: readonly bigint[], prerelease: readonly string[]) {
    this.parts = parts;
    this.prerelease = prerelease;
  }

  static parse(text: string, normalize = false): Semver | undefined {
    const match = pattern.exec(normalize ? normal(text) : text);
    if (match === null) return undefined;
    const parts = [match[1], match[2], match[3]].map((part) => BigInt(part ?? 0));
    return new Semver(parts, match[4] === undefined ? [] : match[4].split('.'));
  }

  compare(other: Semver): bigint {
    for (const [index, part] of this.parts.entries()) {
      const theirs = other.parts[index] ?? 0n;
      if (part !== theirs) return part < theirs ? -1n : 1n;
    }
    if (this.prerelease.length === 0 || other.prerelease.length === 0)
      return BigInt(Math.sign(other.prerelease.length - this.prerelease.length));
    return comparePrerelease(this.prerelease, other.prerelease);
  }
}

/** `v1.2` as `1.2.0`, without leading zeros. */
function normal(text: string): string {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(.*)$/.exec(text);
  if (match === null) return text;
  const number = (part: string | undefined) => (part ?? '0').replace(/^0+(?=\d)/, '');
  return `${number(match[1])}.${number(match[2])}.${number(match[3])}${match[4]}`;
}

function comparePrerelease(left: readonly string[], right: readonly string[]): bigint {
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const [a, b] = [left[index], right[index]];
    if (a === undefined) return -1n;
    if (b === undefined) return 1n;
    if (a === b) continue;
    const [numericA, numericB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
    if (numericA && numericB) return BigInt(a) < BigInt(b) ? -1n : 1n;
    if (numericA !== numericB) return numericA ? -1n : 1n;
    return a < b ? -1n : 1n;
  }
  return 0n;
}

function parse(text: string, normalize = false): Semver {
  const version = Semver.parse(text, normalize);
  if (version === undefined) throw new Error('No Major.Minor.Patch elements found');
  return version;
}

/** Registers `semver`, `isSemver` and the methods of versions. */
export function registerSemver(environment: Environment): void {
  const type = 'kubernetes.Semver';
  environment
    .registerType(type, { ctor: Semver, fields: {} })
    .registerFunction(`semver(string): ${type}`, (text: string) => parse(text))
    .registerFunction(`semver(string, bool): ${type}`, parse)
    .registerFunction('isSemver(string): bool', (text: string) => Semver.parse(text) !== undefined)
    .registerFunction(
      'isSemver(string, bool): bool',
      (text: string, normalize: boolean) => Semver.parse(text, normalize) !== undefined,
    )
    .registerOperator(`${type} == ${type}`, (a: Semver, b: Semver) => a.compare(b) === 0n)
    .registerFunction(`${type}.isGreaterThan(${type}): bool`, (a: Semver, b: Semver) => a.compare(b) > 0n)
    .registerFunction(`${type}.isLessThan(${type}): bool`, (a: Semver, b: Semver) => a.compare(b) < 0n)
    .registerFunction(`${type}.compareTo(${type}): int`, (a: Semver, b: Semver) => a.compare(b));
  for (const [index, name] of ['major', 'minor', 'patch'].entries())
    environment.registerFunction(`${type}.${name}(): int`, (version: Semver) => version.parts[index] ?? 0n);
}
