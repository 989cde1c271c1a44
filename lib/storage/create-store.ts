import { join } from 'node:path';
import type { Config } from '#lib/base/config.ts';
import type { Log } from '#lib/base/log.ts';
import { createLocalStore } from './local-store.ts';
import type { ObjectStore } from './object-store.ts';
import { createS3Store } from './s3-store.ts';

/**
 * The store that the configuration names: S3 when S3_ENDPOINT is set, else files under LARDER_DATA/objects.
 * Throws an Error that names the missing key when S3 is half configured, and not_ready when S3 refuses us; when S3 is
 * away, too, unless `log` is given: then it is waited for.
 */
export async function createStore(config: Config, log?: Log): Promise<ObjectStore> {
  if (config.S3_ENDPOINT === undefined) return createLocalStore(join(config.LARDER_DATA, 'objects'));
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = config;
  if (!accessKeyId || !secretAccessKey)
    throw new Error('S3_ENDPOINT is set: S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY must be set too');
  const options = {
    endpoint: config.S3_ENDPOINT,
    publicEndpoint: config.S3_PUBLIC_ENDPOINT,
    bucket: config.S3_BUCKET,
    region: config.S3_REGION,
    accessKeyId,
    secretAccessKey,
    direct: config.S3_DIRECT,
  };
  return createS3Store(options, log);
}
