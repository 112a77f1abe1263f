/**
 * Text models of scikit-learn hold a StringNormalizer that asks for the locale en_US, which containers do not have, and
 * onnxruntime refuses the whole model then. C.UTF-8 is built into the C library and changes case in the same way.
 */
import type { ByteSource } from './byte-source.ts';
import { attributeFields, graphFields, nodeFields } from './onnx-fields.ts';
import type { OnnxModel } from './onnx-model.ts';
import { eachField, type Field, textOf } from './protobuf-reader.ts';
import { intField, messageField, textField } from './protobuf-writer.ts';
import type { Edit } from './rewire.ts';

const everywhere = 'C.UTF-8';
/** AttributeProto.AttributeType. */
const stringType = 3;

/** The edits that give each StringNormalizer of the main graph a locale that every machine has. */
export const localeEdits = (source: ByteSource, model: OnnxModel): Edit[] =>
  model.stringNormalizers.flatMap((node) => {
    const kept: Uint8Array[] = [];
    // What onnxruntime takes when the model says nothing.
    let locale = 'en_US.UTF-8';
    eachField(source, node.start, node.end, (part) => {
      const named = part.number === nodeFields.attribute ? localeOf(source, part) : undefined;
      if (named === undefined) kept.push(source.bytes(part.tagStart, part.end));
      else locale = named;
    });
    if (!/^en_US(\.|$)/i.test(locale)) return [];
    const attribute = messageField(
      nodeFields.attribute,
      textField(attributeFields.name, 'locale'),
      textField(attributeFields.s, everywhere),
      intField(attributeFields.type, stringType),
    );
    return [{ field: node, bytes: messageField(graphFields.node, ...kept, attribute) }];
  });

const localeOf = (source: ByteSource, attribute: Field): string | undefined => {
  let name = '';
  let text = '';
  eachField(source, attribute.start, attribute.end, (part) => {
    if (part.number === attributeFields.name) name = textOf(source, part);
    else if (part.number === attributeFields.s && part.end - part.start <= 4096) text = textOf(source, part);
  });
  return name === 'locale' ? text : undefined;
};
