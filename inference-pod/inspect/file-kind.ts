/** Recognises what people get instead of a model: an HTML page, a Git LFS pointer, another format. */

const text = new TextDecoder('latin1');

/** Says what the file is when its first bytes show that it is no ONNX model, else undefined. */
export const notAModel = (head: Uint8Array): string | undefined => {
  if (head.length === 0) return 'the file is empty';
  const start = text.decode(head).trimStart();
  if (/^(<!doctype html|<html|<head|<body)/i.test(start))
    return 'the file is an HTML page, not a model: the URI leads to a web page, perhaps a login. Use the link to the raw file';
  if (/^<\?xml|^<[A-Za-z]+/.test(start))
    return 'the file is XML, not a model: the server answered with a message. Open the URI and read it';
  if (start.startsWith('version https://git-lfs'))
    return 'the file is a Git LFS pointer, not the model: use the download link that resolves LFS';
  if (/^[{[]["\s]/.test(start)) return 'the file is JSON text, not an ONNX model';
  if (head[0] === 0x50 && head[1] === 0x4b)
    return 'the file is a zip archive (PyTorch and Keras files are too), not an ONNX model: export the model to ONNX';
  if (head[0] === 0x1f && head[1] === 0x8b) return 'the file is compressed with gzip: unpack it first';
  if (head[0] === 0x80 && (head[1] ?? 0) <= 5)
    return 'the file is a Python pickle, not an ONNX model: export the model, for example with skl2onnx';
  // A model begins with a field number and a length, which are control characters.
  const [line = ''] = start.split(/[\r\n]/, 1);
  if (line.length >= 8 && /^[ -~]+$/.test(line.slice(0, 32)))
    return `the file is text, not an ONNX model; it begins with '${line.slice(0, 32)}'`;
  if (head.every((byte) => byte === 0)) return 'the file is all zeros, not an ONNX model';
  return undefined;
};
