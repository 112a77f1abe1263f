export const generatedFiles = (): Record<string, string> => ({});
