/** What is wrong with a command line, in one line: Node adds advice on dashes that helps nobody who mistyped an option. */
export const optionErrorText = (error: unknown): string => {
  const text =
    typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
  return text.replace(/\. To specify .*$/s, '');
};
