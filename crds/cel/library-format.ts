/** Named formats of Kubernetes' CEL library: `format.dns1123Label().validate(x)`. */
import { type Environment, Optional } from '@marcbachmann/cel-js';
import { hasFormat } from '../structural/formats.ts';

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const whole = (pattern: string) => new RegExp(`^(?:${pattern})$`);

interface Check {
  readonly fits: RegExp;
  readonly maxLength: number;
  readonly message: string;
}

const labelText = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${label}')`;
const subdomainText = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`;
const label1035Text =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

const checks: Record<string, Check> = {
  dns1123Label: { fits: whole(label), maxLength: 63, message: labelText },
  dns1123Subdomain: { fits: whole(subdomain), maxLength: 253, message: subdomainText },
  dns1035Label: { fits: whole('[a-z]([-a-z0-9]*[a-z0-9])?'), maxLength: 63, message: label1035Text },
  labelValue: {
    fits: whole(`(${qualified})?`),
    maxLength: 63,
    message: `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${qualified})?')`,
  },
  qualifiedName: {
    fits: whole(`(${subdomain}/)?${qualified}`),
    maxLength: 317,
    message: `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${qualified}')`,
  },
};

class Format {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** Why the text does not have the format; empty when it has. */
  problems(text: string): string[] {
    const check = checks[this.name];
    if (check === undefined) return hasFormat(text, this.name) ? [] : [`invalid ${this.name}`];
    return [
      ...(text.length > check.maxLength ? [`must be no more than ${check.maxLength} bytes`] : []),
      ...(check.fits.test(text) ? [] : [check.message]),
    ];
  }
}

class FormatNamespace {}

const formatNames = [...Object.keys(checks), 'uri', 'uuid', 'byte', 'date', 'datetime'];

/** Registers `format.NAME()`, `format.named(…)` and `validate`. */
export function registerFormats(environment: Environment): void {
  environment
    .registerType('kubernetes.NamedFormat', { ctor: Format, fields: {} })
    .registerType('FormatNamespace', { ctor: FormatNamespace, fields: {} })
    .registerConstant('format', 'FormatNamespace', new FormatNamespace())
    .registerFunction(
      'FormatNamespace.named(string): optional<kubernetes.NamedFormat>',
      (_: unknown, name: string) =>
        formatNames.includes(name) ? Optional.of(new Format(name)) : Optional.none(),
    )
    .registerFunction(
      'kubernetes.NamedFormat.validate(string): optional<list<string>>',
      (format: Format, text: string) => {
        const problems = format.problems(text);
        return problems.length === 0 ? Optional.none() : Optional.of(problems);
      },
    );
  for (const name of formatNames)
    environment.registerFunction(`FormatNamespace.${name}(): kubernetes.NamedFormat`, () => new Format(name));
}
