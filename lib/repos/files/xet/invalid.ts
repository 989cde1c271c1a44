/** What a client sent breaks the Xet formats or does not match its hashes. The message is fit to be shown. */
export class XetInvalid extends Error {
  readonly isXetInvalid = true;
  constructor(message: string) {
    super(message);
    this.name = 'XetInvalid';
  }
}
