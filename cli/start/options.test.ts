import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { optionErrorText } from '../option-error.ts';
import { readOptions, startCommand } from './command.ts';
import { parseStartOptions } from './options.ts';

const errorOf = (args: string[]): string => {
  try {
    parseStartOptions(args);
    return '';
  } catch (error) {
    return optionErrorText(error);
  }
};

test.each<[string[], string]>([
  [['--foo'], "Unknown option '--foo'"],
  [['a.onnx', 'b.onnx'], 'one model file at a time: "b.onnx" is one too many'],
  [['model.pt'], '"model.pt" is no .onnx file: export the model to ONNX first'],
  [
    ['--name', 'MyName'],
    '--name is "MyName": give at most 45 lower-case letters, digits and "-", starting with a letter and ending with a letter or digit',
  ],
  [['--name', 'a'.repeat(45)], ''],
  [['x.onnx', '--name', 'b-2'], ''],
])('%j: %s', (args, message) => expect(errorOf(args)).toBe(message));

test('a state folder that cannot be made is said in a sentence', async () => {
  const said = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    expect(await startCommand(['--state-dir', `${import.meta.filename}/x`], {})).toBe(2);
    expect(said.mock.calls.join('')).toMatch(/^npm start: the folder \S+\/x cannot be made: ENOTDIR/);
  } finally {
    said.mockRestore();
  }
});

test('a folder is no model, though its name ends so', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-dir-'));
  try {
    expect(readOptions(['m.onnx'], folder)).toBe(`there is no file ${folder}/m.onnx`);
    mkdirSync(join(folder, 'm.onnx'));
    expect(readOptions(['m.onnx'], folder)).toBe(`${folder}/m.onnx is a folder: name the .onnx file in it`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
