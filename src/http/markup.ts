/** HTML from template literals: everything put in is escaped, unless it is markup itself. */
export interface Markup {
  readonly text: string;
}

/** A tagged template: `markup\`<p>${text}</p>\``. Lists are joined. */
export function markup(strings: TemplateStringsArray, ...parts: unknown[]): Markup {
  return { text: strings.map((string, i) => string + (i < parts.length ? asText(parts[i]) : '')).join('') };
}

/** Text with blank lines between paragraphs, with the marks of `inline`. */
export function paragraphs(text: string): Markup {
  const parts = text.split(/\n\s*\n/).filter((part) => part.trim() !== '');
  return { text: parts.map((part) => `<p>${inline(part).text}</p>`).join('\n') };
}

/** Text with `code` in backticks and **bold** in double stars, as the contract's descriptions have it. */
export function inline(text: string): Markup {
  const code = escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');
  return { text: code.replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>') };
}

function asText(part: unknown): string {
  if (Array.isArray(part)) return part.map(asText).join('\n');
  if (isMarkup(part)) return part.text;
  return escapeHtml(String(part));
}

function isMarkup(part: unknown): part is Markup {
  return typeof part === 'object' && part !== null && 'text' in part;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
