/**
 * A stranger's one-line text (a file name, a title, a reason) as it may be shown: control characters and those that
 * turn the direction of writing stand there as escapes of JSON, so that a terminal obeys none and `rtl\u202egpj.exe`
 * does not pass for a picture.
 */
export function visibleText(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Bidi_Control}]/gu,
    (sign) => `\\u${(sign.codePointAt(0) as number).toString(16).padStart(4, '0')}`,
  );
}

/** visibleText of a text of several lines: their ends and tabs stay. */
export function visibleLines(text: string): string {
  return text
    .split(/(\r?\n|\t)/)
    .map((part, i) => (i % 2 === 0 ? visibleText(part) : part))
    .join('');
}
