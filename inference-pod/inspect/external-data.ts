/** Weights that lie in files beside the model: where a model says that they are, checked without trusting a word of it. */
import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ModelError } from './model-error.ts';
import { elementBits, elementTypeName } from './onnx-fields.ts';
import type { ExternalTensor, OnnxModel } from './onnx-model.ts';

/** Keys that ONNX defines; onnxruntime's own further ones name addresses and packed forms. */
const knownKeys = new Set(['location', 'offset', 'length', 'checksum']);
const longestLocation = 1024;
const deepest = 16;

/**
 * The parts of a relative path that stays below where it starts, or why it is refused. Used for places that a model
 * names and for names in an archive.
 */
export const relativeParts = (path: string): readonly string[] | string => {
  if (path === '') return 'is empty';
  if (path.length > longestLocation) return `is longer than ${longestLocation} characters`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u001f\u007f]/.test(path)) return 'holds control characters';
  if (!path.isWellFormed() || path.includes('\ufffd')) return 'is no valid UTF-8';
  if (path.includes('\\')) return 'holds a backslash';
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return 'is absolute';
  const parts = path.split('/').filter((part) => part !== '.' && part !== '');
  if (parts.includes('..')) return "leads upwards with '..'";
  if (parts.length === 0) return 'names no file';
  if (parts.length > deepest) return `is nested deeper than ${deepest} levels`;
  if (parts.some((part) => Buffer.byteLength(part) > 255)) return 'has a part of more than 255 bytes';
  return parts;
};

const refuse = (tensor: ExternalTensor, why: string): never => {
  throw new ModelError('ModelForbidden', `the weights of '${tensor.name}' ${why}`);
};

const wholeNumber = (tensor: ExternalTensor, key: 'offset' | 'length', text: string | undefined) => {
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value))
    return refuse(tensor, `have the ${key} '${text.slice(0, 40)}', which is no whole number`);
  return value;
};

const bytesWanted = (tensor: ExternalTensor): number => {
  const bits = elementBits[tensor.elementType];
  if (bits === undefined)
    return refuse(
      tensor,
      `are of type ${elementTypeName(tensor.elementType)}, which cannot lie in another file`,
    );
  return Math.ceil((tensor.elements * bits) / 8);
};

interface Placed {
  readonly tensor: ExternalTensor;
  readonly path: string;
}

const placed = (tensor: ExternalTensor): Placed => {
  for (const key of tensor.entries.keys())
    if (!knownKeys.has(key)) refuse(tensor, `name an unknown property '${key.slice(0, 40)}' of their place`);
  const location = tensor.entries.get('location');
  if (location === undefined)
    return refuse(tensor, 'lie in another file, and the model does not say in which');
  const parts = relativeParts(location);
  if (typeof parts === 'string')
    return refuse(tensor, `are said to be in '${location.slice(0, 100)}', a path that ${parts}`);
  return { tensor, path: parts.join('/') };
};

/** The files that the model's tensors name, as paths relative to the model's directory; throws when one is no such path. */
export const externalFiles = (model: OnnxModel): readonly string[] => {
  const files = new Set<string>();
  for (const tensor of model.externalTensors) files.add(placed(tensor).path);
  return [...files].sort();
};

/** The size of a regular file with one name, reached without a link on the way. */
const sizeOf = (tensor: ExternalTensor, directory: string, path: string): number => {
  let current = directory;
  const parts = path.split('/');
  for (const [i, part] of parts.entries()) {
    current = join(current, part);
    let stat: ReturnType<typeof lstatSync>;
    try {
      stat = lstatSync(current);
    } catch {
      throw new ModelError(
        'ModelNotFound',
        `the weights of '${tensor.name}' are said to be in '${path}', and no such file came with the model`,
      );
    }
    const isLast = i === parts.length - 1;
    if (stat.isSymbolicLink()) refuse(tensor, `are said to be in '${path}', which is or lies behind a link`);
    if (isLast ? !stat.isFile() : !stat.isDirectory())
      refuse(tensor, `are said to be in '${path}', which is no regular file`);
    // A second name of the same file may be one outside of the model's directory.
    if (isLast && stat.nlink !== 1)
      refuse(
        tensor,
        `are said to be in '${path}', a file with ${stat.nlink} names (hard links), which is refused`,
      );
    if (isLast) return stat.size;
  }
  return 0;
};

/** Checks every tensor that lies outside of the model's file against what is there. */
export const checkExternalData = (model: OnnxModel, modelPath: string): void => {
  const sizes = new Map<string, number>();
  for (const tensor of model.externalTensors) {
    const { path } = placed(tensor);
    const size = sizes.get(path) ?? sizeOf(tensor, dirname(modelPath), path);
    sizes.set(path, size);
    const offset = wholeNumber(tensor, 'offset', tensor.entries.get('offset')) ?? 0;
    const wanted = bytesWanted(tensor);
    const length = wholeNumber(tensor, 'length', tensor.entries.get('length')) ?? wanted;
    if (length !== wanted)
      refuse(tensor, `have ${length} bytes in '${path}', where their shape wants ${wanted}`);
    if (offset + length > size)
      refuse(
        tensor,
        `are said to be at bytes ${offset} to ${offset + length} of '${path}', which has ${size}`,
      );
  }
};
