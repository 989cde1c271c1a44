import { hub } from '../hub.ts';
import { orNotFound } from '../or-not-found.ts';
import { ReclaimPanels } from '../reclaim/reclaim-panels.tsx';
import type { StorageLine } from '../reclaim/storage-line.ts';
import { requireReader } from '../require-reader.ts';
import { pageContext } from '../server-context.ts';
import { SettingsFrame } from './settings-screen.tsx';

/** What the store holds and what can be reclaimed, for administrators; for others there is no such page. */
export async function StorageSettingsScreen() {
  await requireReader('/settings/storage');
  const ctx = await pageContext();
  const found = await orNotFound(hub().readReclaimable(ctx));
  const initial = JSON.parse(JSON.stringify(found)) as StorageLine; // as the hub's API gives it
  return (
    <SettingsFrame tab="storage">
      <ReclaimPanels initial={initial} nowMs={ctx.clock.now()} />
    </SettingsFrame>
  );
}
