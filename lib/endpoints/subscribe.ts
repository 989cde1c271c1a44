import { Client } from 'pg';
import type { App } from '#lib/identity/context.ts';

type Listener = (payload: string | null) => void;

interface Channel {
  readonly listeners: Set<Listener>;
  client: Client | null;
  timer: NodeJS.Timeout | null;
  isOpen: boolean;
}

/** Per process (keyed by its pool) and channel; lives as long as someone listens. */
const channels = new WeakMap<App['db'], Map<string, Channel>>();
const RECONNECT_MS = 1_000;

/**
 * Calls `listener` for every NOTIFY on the channel, with its payload, and with null whenever some may have been
 * missed (at the start and after a lost connection). All listeners of a process share one connection per channel.
 * Returns the function that ends it; calling that twice is fine.
 */
export function subscribe(
  app: Pick<App, 'db' | 'config'>,
  channelName: string,
  listener: Listener,
): () => void {
  const byName = channels.get(app.db) ?? new Map<string, Channel>();
  channels.set(app.db, byName);
  let channel = byName.get(channelName);
  if (channel === undefined) {
    channel = { listeners: new Set(), client: null, timer: null, isOpen: true };
    byName.set(channelName, channel);
    void connect(channel, app.config.DATABASE_URL, channelName);
  }
  const joined = channel;
  joined.listeners.add(listener);
  return () => {
    joined.listeners.delete(listener);
    if (joined.listeners.size > 0 || !joined.isOpen) return;
    joined.isOpen = false;
    if (byName.get(channelName) === joined) byName.delete(channelName);
    if (joined.timer) clearTimeout(joined.timer);
    joined.client?.end().catch(() => {});
  };
}

async function connect(channel: Channel, url: string, channelName: string): Promise<void> {
  const client = new Client({
    connectionString: url,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    application_name: 'larder listen',
  });
  channel.client = client;
  let lost = false;
  const reconnect = () => {
    if (lost || !channel.isOpen) return;
    lost = true;
    client.end().catch(() => {});
    channel.timer = setTimeout(() => void connect(channel, url, channelName), RECONNECT_MS);
    channel.timer.unref();
  };
  client.on('error', reconnect);
  client.on('end', reconnect);
  client.on('notification', (message) => tell(channel, message.payload ?? ''));
  try {
    await client.connect();
    await client.query(`LISTEN ${client.escapeIdentifier(channelName)}`);
    if (!channel.isOpen) await client.end();
    else tell(channel, null);
  } catch {
    reconnect();
  }
}

function tell(channel: Channel, payload: string | null): void {
  for (const listener of channel.listeners) listener(payload);
}
