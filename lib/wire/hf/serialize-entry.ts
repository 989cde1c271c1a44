import type { CommitSummary, TreeEntry } from '#lib/repos/types.ts';

/** One line of tree and paths-info. `lastCommit` only when the listing was asked to expand. */
export function serializeEntry(entry: TreeEntry, lastCommit?: CommitSummary): Record<string, unknown> {
  return {
    type: entry.type,
    oid: entry.oid,
    size: entry.sizeBytes,
    path: entry.path,
    ...(entry.lfs && {
      lfs: {
        oid: entry.lfs.sha256,
        size: entry.lfs.sizeBytes,
        pointerSize: entry.lfs.pointerSizeBytes,
      },
    }),
    ...(entry.xetHash && { xetHash: entry.xetHash }),
    ...(lastCommit && {
      lastCommit: {
        id: lastCommit.oid,
        title: lastCommit.title,
        date: lastCommit.date.toISOString(),
      },
    }),
  };
}

/** One file of a repo's `siblings`, with blob facts when `blobs` were asked for. */
export function serializeSibling(entry: TreeEntry, blobs: boolean): Record<string, unknown> {
  if (!blobs) return { rfilename: entry.path };
  return {
    rfilename: entry.path,
    size: entry.sizeBytes,
    blobId: entry.oid,
    ...(entry.lfs && {
      lfs: {
        sha256: entry.lfs.sha256,
        size: entry.lfs.sizeBytes,
        pointerSize: entry.lfs.pointerSizeBytes,
      },
    }),
  };
}
