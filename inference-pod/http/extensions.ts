/** Extensions of the protocol that are implemented whole; the list says nothing that is not. */
export const extensions: readonly string[] = [
  'binary_tensor_data',
  'classification',
  'parameters',
  'statistics',
];
