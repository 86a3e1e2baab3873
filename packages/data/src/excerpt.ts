/** Text of a file, for a message: without line breaks and control characters, and cut after `most` characters. */
export function excerpt(text: string, most = 40): string {
  return cut(text, most).replaceAll(/[\s\p{Cc}]+/gu, ' ');
}

/** The beginning of a text that is longer than `most` characters. */
export function cut(text: string, most = 40): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
