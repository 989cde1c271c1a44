import { Upload } from 'tus-js-client';

export interface Sending {
  /** Resolves with the address of the upload when the client says that it succeeded. */
  readonly done: Promise<string>;
  readonly upload: Upload;
  /** Bytes that the server acknowledged last, as the client saw it. */
  progress(): number;
}

/** Sends a file with tus-js-client, as the pages do. */
export function sendByTus(
  endpoint: string,
  token: string,
  bytes: Buffer,
  options: {
    metadata?: Record<string, string>;
    uploadUrl?: string;
    chunkSize?: number;
    retryDelays?: number[];
  } = {},
): Sending {
  let sent = 0;
  let upload!: Upload;
  const done = new Promise<string>((resolve, reject) => {
    upload = new Upload(bytes as unknown as ConstructorParameters<typeof Upload>[0], {
      endpoint,
      ...(options.uploadUrl && { uploadUrl: options.uploadUrl }),
      headers: { authorization: `Bearer ${token}` },
      metadata: { path: 'model.bin', revision: 'main', ...options.metadata },
      retryDelays: options.retryDelays ?? [100, 300, 500, 1000, 1000, 1000, 2000, 2000, 3000, 3000, 3000],
      ...(options.chunkSize && { chunkSize: options.chunkSize }),
      uploadDataDuringCreation: false,
      onProgress: (bytesSent) => {
        sent = bytesSent;
      },
      onError: reject,
      onSuccess: () => resolve(upload.url ?? ''),
    });
  });
  done.catch(() => {});
  upload.start();
  return { done, upload, progress: () => sent };
}
