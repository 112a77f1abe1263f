/** `spec.model`: where the model is and which file it must be. */
import { z } from 'zod';
import { sha256Pattern } from '../values.ts';
import { describe } from './field.ts';

export const modelSchema = z.strictObject({
  uri: describe(
    z
      .string()
      .max(2048)
      .regex(/^(https|file|pvc):\/\/[^\s]+$/),
    'Where the model file is. `https://host/path` (redirects followed, private addresses refused), `pvc://claim/path` (a file or directory on a PersistentVolumeClaim of the namespace) or `file:///samples/…` (a file that the pod image brings). A model with weights in files beside it: a `.tar` that holds them all, or a volume that does. Example: `file:///samples/wine/model.onnx`.',
  ),
  sha256: describe(
    z.string().length(64).regex(new RegExp(sha256Pattern)).optional(),
    'SHA-256 of the file behind the URI (model or `.tar`), 64 lower-case hex digits; of a model in several files on a volume that of their list, `sha256sum FILES | sha256sum`. A file with another digest is never served. Without it, the digest that the revision’s first pod fetches is recorded and every later pod must fetch the same. Default: recorded.',
  ),
  version: describe(
    z
      .string()
      .min(1)
      .max(63)
      .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/)
      .optional(),
    'Version of the model as callers see it in `/v2/models/NAME/versions/VERSION` and in answers. Example: `2026-11-01`. Default: the revision’s hash.',
  ),
});
