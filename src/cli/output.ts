/** What a command prints on standard output: JSON as the service gave it, or lines for a person. */
export function print(json: boolean | undefined, answer: unknown, lines: readonly string[]): void {
  if (json) console.log(JSON.stringify(answer));
  else for (const line of lines) console.log(line);
}

/** Columns of equal width, the first row the heading; numbers to the right. */
export function table(heading: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const cells = [heading, ...rows].map((row) => row.map(String));
  const width = (column: number) => Math.max(...cells.map((row) => row[column]!.length));
  const numeric = heading.map((_, column) => rows.every((row) => typeof row[column] === 'number'));
  const widths = heading.map((_, column) => width(column));
  return cells.map((row) =>
    row
      .map((cell, column) =>
        numeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
}

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
