import type { Discussion, DiscussionEvent, Speaker } from '#lib/repos/pulls/types.ts';
import type { Repo } from '#lib/repos/types.ts';

const HIDDEN = 'This comment has been hidden';
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** A text as HTML that shows it as it was written. Pages render the Markdown; here it stays text. */
function htmlOf(text: string): string {
  const escaped = text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
  const paragraphs = escaped.trim().split(/\n{2,}/);
  return paragraphs.map((paragraph) => `<p>${paragraph.replaceAll('\n', '<br>')}</p>`).join('\n');
}

/** `author` of a discussion or event; left out for accounts that are gone: clients then say "deleted". */
function author(speaker: Speaker | null, repo: Repo): Record<string, unknown> {
  if (speaker === null) return {};
  const { id, name, fullname } = speaker;
  return {
    author: { _id: id, name, fullname, avatarUrl: '', type: 'user', isOwner: id === repo.namespaceId },
  };
}

/** A discussion as lists have it (hf-api §1.B). */
export function serializeDiscussion(discussion: Discussion, repo: Repo): Record<string, unknown> {
  return {
    num: discussion.num,
    ...author(discussion.author, repo),
    repo: { name: `${repo.namespace}/${repo.name}`, type: repo.type },
    title: discussion.title,
    status: discussion.status,
    createdAt: discussion.createdAt.toISOString(),
    updatedAt: discussion.updatedAt.toISOString(),
    isPullRequest: discussion.pull !== null,
    numComments: discussion.commentCount,
    numReactionUsers: 0,
    topReactions: [],
    pinned: discussion.isPinned,
  };
}

function dataOf(event: DiscussionEvent, repo: Repo): Record<string, unknown> {
  if (event.kind !== 'comment') return { ...event.data };
  const { raw, isHidden, editedAt, editedBy, history } = event.comment;
  const { anchor, relatedEventId } = event.data;
  const shown = isHidden ? HIDDEN : raw;
  return {
    edited: editedAt !== null,
    hidden: isHidden,
    numEdits: history.length,
    reactions: [],
    latest: {
      raw: shown,
      html: htmlOf(shown),
      updatedAt: (editedAt ?? event.createdAt).toISOString(),
      ...author(editedAt === null ? event.author : editedBy, repo),
    },
    history: history.map(({ author: by, at }) => ({ updatedAt: at.toISOString(), ...author(by, repo) })),
    ...(anchor && { anchor }),
    ...(relatedEventId && { relatedEventId }),
  };
}

/** An event as the Hub's clients read it (hf-api §1.D). */
export function serializeEvent(event: DiscussionEvent, repo: Repo): Record<string, unknown> {
  return {
    id: event.id,
    ...author(event.author, repo),
    createdAt: event.createdAt.toISOString(),
    type: event.kind,
    data: dataOf(event, repo),
  };
}
