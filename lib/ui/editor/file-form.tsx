'use client';

import { useRouter } from 'next/navigation';
import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react';
import type { RepoRef } from '#lib/repos/types.ts';
import { FormError } from '../account/form-error.tsx';
import { fileAddress } from '../addresses.ts';
import { CallError } from '../call-hub.ts';
import { Button, ButtonLink } from '../kit/button.tsx';
import { Field, Input } from '../kit/field.tsx';
import { Panel } from '../kit/panel.tsx';
import { PreviewSwitch } from '../markdown/preview-switch.tsx';
import { useTranslator } from '../reader.tsx';
import type { Translator } from '../translator.ts';
import { CardPreview } from './card-preview.tsx';
import { CodeEditor } from './code-editor.tsx';
import { type Change, Conflict, commitChanges } from './commit-changes.ts';
import { CommitFields, type Target } from './commit-fields.tsx';

interface Props {
  readonly repo: RepoRef;
  readonly branch: string;
  /** The commit that the page shows. */
  readonly commit: string;
  /** Of the file; for a new one the folder it begins in, with a slash at its end. */
  readonly path: string;
  readonly existing: { readonly oid: string; readonly text: string } | null;
  /** False: the reader can only propose the change. */
  readonly mayWrite: boolean;
  /** Where to go without a change. */
  readonly back: string;
}

const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);

/** What the commit is called when nobody says otherwise. */
function defaultSummary(t: Translator, from: string | null, to: string): string {
  if (from === null) return nameOf(to) === '' ? t('edit.newFile') : t('edit.create', { name: nameOf(to) });
  return from === to ? t('edit.update', { name: nameOf(to) }) : t('edit.move', { from, to });
}

/** Keeps a reader from leaving the page with text that is nowhere else. */
function useLeaveGuard(isDirty: () => boolean): void {
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => {
      if (isDirty()) event.preventDefault();
    };
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  });
}

/** The text: as it is written, and for Markdown as it will look. */
function TextPart(props: {
  repo: RepoRef;
  branch: string;
  path: string;
  before: string;
  text: { readonly current: string };
  label: string;
  onChange: (text: string) => void;
}) {
  const { repo, branch, path, before, text, label, onChange } = props;
  const isMarkdown = /\.(?:md|markdown)$/i.test(path);
  const [wanted, setWanted] = useState(false);
  const isPreview = wanted && isMarkdown;
  return (
    <>
      {isMarkdown && (
        <div className="flex border-b border-line bg-sunken px-3 py-2">
          <PreviewSwitch isPreview={isPreview} onChange={setWanted} />
        </div>
      )}
      {/* only hidden: what can be undone there stays */}
      <div hidden={isPreview}>
        <CodeEditor text={before} path={path} label={label} onChange={onChange} />
      </div>
      {isPreview && <CardPreview text={text.current} path={path} repo={repo} revision={branch} />}
    </>
  );
}

/** Writes one text file: its path, its text, and the commit. */
export function FileForm({ repo, branch, commit, path: from, existing, mayWrite, back }: Props) {
  const [t, router] = [useTranslator(), useRouter()];
  const [path, setPath] = useState(from);
  const [target, setTarget] = useState<Target>('branch');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const text = useRef(existing?.text ?? '');
  const keep = useCallback((next: string) => {
    text.current = next;
  }, []);
  const done = useRef(false);
  useLeaveGuard(() => !done.current && text.current !== (existing?.text ?? ''));

  const summary = defaultSummary(t, existing && from, path);
  const save = async (fields: FormData) => {
    const moved = existing !== null && path !== from;
    if (nameOf(path) === '') return t('edit.needPath');
    if (existing !== null && !moved && text.current === existing.text) return t('edit.noChange');
    const changes: Change[] = [{ kind: 'put', path, content: text.current }];
    if (moved) changes.unshift({ kind: 'delete', path: from });
    const seen: Record<string, string | null> = existing ? { [from]: existing.oid } : {};
    if (!existing || moved) seen[path] = null;
    const asPullRequest = !mayWrite || target === 'pull';
    let pullRequestUrl: string | undefined;
    try {
      ({ pullRequestUrl } = await commitChanges({
        repo,
        branch,
        baseCommit: commit,
        seen,
        summary: String(fields.get('summary') ?? '').trim() || summary,
        description: String(fields.get('description') ?? ''),
        changes,
        asPullRequest,
      }));
    } catch (failure) {
      if (failure instanceof Conflict)
        return t(failure.paths.includes(from) ? 'edit.conflict' : 'edit.exists', {
          paths: failure.paths.join(', '),
        });
      return (failure instanceof CallError && failure.message) || t('words.requestFailed');
    }
    done.current = true;
    router.push(pullRequestUrl ? new URL(pullRequestUrl).pathname : fileAddress(repo, 'blob', branch, path));
    router.refresh();
    return null;
  };
  const onSubmit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    const refusal = await save(new FormData(event.currentTarget));
    setError(refusal);
    if (refusal !== null) setBusy(false);
  };

  const label = t('edit.content', { name: nameOf(from) || t('edit.newFile') });
  return (
    <form method="post" onSubmit={(event) => void onSubmit(event)} className="flex flex-col gap-5">
      <h2 className="text-lg font-semibold break-all">
        {existing
          ? t('edit.editTitle', { name: nameOf(from) })
          : t('edit.newTitle', { name: `${repo.namespace}/${repo.name}` })}
      </h2>
      <Field id="path" label={t('edit.path')} {...(existing && { hint: t('edit.pathHint') })}>
        <Input
          id="path"
          value={path}
          onChange={(event) => setPath(event.target.value.replace(/^\/+/, ''))}
          maxLength={1024}
          autoCapitalize="none"
          autoComplete="off"
          spellCheck={false}
          className="font-mono text-sm"
          required
        />
      </Field>
      <Panel className="overflow-hidden">
        <TextPart
          repo={repo}
          branch={branch}
          path={path}
          before={existing?.text ?? ''}
          text={text}
          label={label}
          onChange={keep}
        />
      </Panel>
      <Panel className="flex flex-col gap-4 p-5">
        <CommitFields
          branch={branch}
          mayWrite={mayWrite}
          target={target}
          onTarget={setTarget}
          placeholder={summary}
        />
        <FormError error={error} />
        <div className="flex flex-wrap gap-2">
          <Button type="submit" look="accent" disabled={busy}>
            {busy
              ? t('account.working')
              : !mayWrite || target === 'pull'
                ? t('edit.propose')
                : t('edit.commitTo', { branch })}
          </Button>
          <ButtonLink href={back}>{t('edit.cancel')}</ButtonLink>
        </div>
      </Panel>
    </form>
  );
}
