/** Flags of an operator that a test starts: alone, on a free port of loopback, without a long look back at what it replaced. */
export const operatorFlags = [
  '--leader-elect',
  'false',
  '--ops-host',
  '127.0.0.1',
  '--ops-port',
  '0',
  '--bake-time',
  '1s',
] as const;
