/** The shell blocks of a documentation page, in the order in which a reader meets them. */
export interface Block {
  /** Line of the page on which its first command stands. */
  readonly line: number;
  readonly commands: string;
  /** Why no test runs it; undefined: it is run. */
  readonly notRun?: string;
}

const fence = /^```sh\s*$/;
const excuse = /^<!-- not run: (.+) -->$/;

/** All ```sh blocks of a page; one directly below `<!-- not run: WHY -->` is excused. */
export function shellBlocks(page: string): Block[] {
  const lines = page.split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    if (!fence.test(lines[at] ?? '')) continue;
    const notRun = excuse.exec(lines[at - 1] ?? '')?.[1];
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`the block of line ${at + 1} has no end`);
    blocks.push({
      line: at + 2,
      commands: lines.slice(at + 1, end).join('\n'),
      ...(notRun === undefined ? {} : { notRun }),
    });
    at = end;
  }
  return blocks;
}
