import { Transform, type TransformCallback } from 'node:stream';
import { HubError } from '#lib/base/errors.ts';
import { droppedBuffers } from '#lib/base/free-buffers.ts';

/** A body that is longer or shorter than was announced. */
export class LengthMismatch extends HubError {
  constructor(expectedBytes: number, receivedBytes: number, ended: boolean) {
    super(
      'invalid_input',
      ended
        ? `the body ended after ${receivedBytes} of ${expectedBytes} bytes`
        : `the body is longer than the announced ${expectedBytes} bytes`,
    );
    this.name = 'LengthMismatch';
  }
}

/**
 * Passes bytes through and fails with LengthMismatch as soon as more than `sizeBytes` came, or when the source
 * ends with fewer. What cannot be delivered whole therefore never looks complete.
 */
export function exactLength(sizeBytes: number): Transform {
  let received = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      received += chunk.length;
      droppedBuffers(chunk.length); // soon
      if (received > sizeBytes) done(new LengthMismatch(sizeBytes, received, false));
      else done(null, chunk);
    },
    flush(done) {
      done(received === sizeBytes ? null : new LengthMismatch(sizeBytes, received, true));
    },
  });
}
