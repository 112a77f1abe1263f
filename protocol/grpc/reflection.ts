/** Server reflection, both versions of which have the same messages: answers what services and types there are. */
import { descriptors } from './generated/descriptors.ts';
import { codes } from './status.ts';
import { WireReader, wire } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/** One file: its descriptor and the full names of what it defines. */
interface File {
  readonly bytes: Buffer;
  readonly services: readonly string[];
  readonly symbols: ReadonlySet<string>;
}

const textFields = {
  file_by_filename: 3,
  file_containing_symbol: 4,
  all_extension_numbers_of_type: 6,
  list_services: 7,
};

/** Full names in a FileDescriptorProto: messages (nested ones too), enums, services, their methods. */
const readFile = (bytes: Buffer): File => {
  const file = new WireReader(bytes);
  let space = '';
  const services: string[] = [];
  const symbols = new Set<string>();
  const later: (() => void)[] = [];
  while (file.next()) {
    if (file.field === 2) space = file.text();
    else if (file.field === 4 || file.field === 5 || file.field === 6) {
      const { field } = file;
      const inner = file.message();
      later.push(() => {
        const name = addSymbols(inner, `${space}.`, field, symbols);
        if (field === 6) services.push(name);
      });
    } else file.skip();
  }
  for (const add of later) add();
  return { bytes, services, symbols };
};

/** Adds a message (4), enum (5) or service (6) and what is inside it; returns its full name. */
const addSymbols = (reader: WireReader, prefix: string, kind: number, symbols: Set<string>): string => {
  let name = prefix;
  while (reader.next()) {
    // The name is the first field of all of them.
    if (reader.field === 1) name = `${prefix}${reader.text()}`;
    else if (kind === 4 && reader.field === 3) addSymbols(reader.message(), `${name}.`, 4, symbols);
    else if (kind === 4 && reader.field === 4) addSymbols(reader.message(), `${name}.`, 5, symbols);
    else if (kind === 4 && reader.field === 2) addSymbols(reader.message(), `${name}.`, 0, symbols);
    else if (kind === 6 && reader.field === 2) addSymbols(reader.message(), `${name}.`, 0, symbols);
    else reader.skip();
  }
  symbols.add(name);
  return name;
};

const files = new Map(
  Object.entries(descriptors).map(([name, text]) => [name, readFile(Buffer.from(text, 'base64'))]),
);

interface Question {
  host: string;
  field: number;
  text: string;
}

const readQuestion = (bytes: Buffer): Question => {
  const reader = new WireReader(bytes);
  const question: Question = { host: '', field: 0, text: '' };
  while (reader.next()) {
    if (reader.field === 1) {
      reader.expect(wire.bytes);
      question.host = reader.text();
    } else if (reader.field === 5) {
      reader.skip();
      question.field = 5;
    } else if (Object.values(textFields).includes(reader.field)) {
      reader.expect(wire.bytes);
      question.field = reader.field;
      question.text = reader.text();
    } else reader.skip();
  }
  return question;
};

const notFound = (writer: WireWriter, what: string) =>
  writer.message(7, (inner) => inner.uint(1, codes.notFound).text(2, `${what} not found`));

const writeFile = (writer: WireWriter, file: File | undefined, what: string) => {
  if (file === undefined) notFound(writer, what);
  else writer.message(4, (inner) => inner.bytes(1, file.bytes));
};

/** The answer to one ServerReflectionRequest, behind `room` free bytes. */
export const answerReflection = (bytes: Buffer, room: number): Buffer => {
  const { host, field, text } = readQuestion(bytes);
  const writer = new WireWriter(room, 1024).text(1, host).bytes(2, bytes);
  switch (field) {
    case textFields.file_by_filename:
      writeFile(writer, files.get(text), `file ${text}`);
      break;
    case textFields.file_containing_symbol:
      writeFile(
        writer,
        [...files.values()].find((file) => file.symbols.has(text)),
        `symbol ${text}`,
      );
      break;
    case textFields.list_services:
      writer.message(6, (inner) => {
        for (const { services } of files.values())
          for (const name of services) inner.message(1, (service) => service.text(1, name));
      });
      break;
    case textFields.all_extension_numbers_of_type:
      if ([...files.values()].some((file) => file.symbols.has(text)))
        writer.message(5, (inner) => inner.text(1, text));
      else notFound(writer, `type ${text}`);
      break;
    case 5:
      notFound(writer, 'extension');
      break;
    default:
      writer.message(7, (inner) => inner.uint(1, codes.invalidArgument).text(2, 'the request asks nothing'));
  }
  return writer.finish();
};
