import { hubError } from '#lib/base/errors.ts';

const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** A line of human text (full name, token name), trimmed and in NFC; throws invalid_input naming `what`. */
export function validateLine(what: string, text: string, maxLength = 100): string {
  const line = text.normalize('NFC').trim();
  if (line.length === 0) throw hubError('invalid_input', `${what} must not be empty`);
  if (line.length > maxLength)
    throw hubError('invalid_input', `${what} must have at most ${maxLength} characters`);
  if (CONTROL.test(line))
    throw hubError('invalid_input', `${what} must not contain control or invisible characters`);
  return line;
}

/** An e-mail address as given, trimmed; throws invalid_input. Whether it is theirs is not known. */
export function validateEmail(text: string): string {
  const email = text.trim();
  if (
    email.length > 254 ||
    !/^[^\s@<>"(),:;\\[\]]+@[^\s@.]+(?:\.[^\s@.]+)+$/.test(email) ||
    CONTROL.test(email)
  ) {
    throw hubError('invalid_input', 'email is not an e-mail address');
  }
  return email;
}
