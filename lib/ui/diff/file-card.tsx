'use client';

import { ChevronDown, ChevronRight, ExternalLink, UnfoldVertical } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { visibleText } from '#lib/base/visible-text.ts';
import { type MeaningKind, meaningKind } from '#lib/catalog/diff/meaning-kind.ts';
import type { ChangedFile, FileDiff } from '#lib/repos/diff/types.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { fileAddress } from '../addresses.ts';
import { cn } from '../cn.ts';
import { formatSize } from '../format.ts';
import { ButtonLink } from '../kit/button.tsx';
import { CopyButton } from '../kit/copy-button.tsx';
import { useTranslator } from '../reader.tsx';
import { DiffBody } from './diff-body.tsx';
import { KindMark, LineCounts } from './file-marks.tsx';
import type { FileSlots, LineSlots } from './line-place.ts';
import { MeaningView } from './meaning/meaning-view.tsx';
import type { DiffStyle } from './use-diff-style.ts';
import { DEFAULT_CONTEXT, useFileDiff } from './use-file-diff.ts';

export interface FileCardProps extends LineSlots, FileSlots {
  readonly repo: RepoRef;
  /** Pinned by ids: `{oid}..{oid}`. */
  readonly range: string;
  readonly file: ChangedFile;
  readonly initial: FileDiff | undefined;
  readonly style: DiffStyle;
  readonly anchor: string;
}

/** More changed lines than this are shown when asked for. */
const BIG_LINES = 600;
const WHOLE_FILE = 100_000;

/** True from when the element first comes near the window. */
function useSeen(): readonly [React.RefObject<HTMLElement | null>, boolean] {
  const ref = useRef<HTMLElement>(null);
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (element === null || isSeen) return;
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && setSeen(true),
      { rootMargin: '600px' },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [isSeen]);
  return [ref, isSeen];
}

/** One file that differs: what happened to it, and its lines, fetched when it comes into view. */
export function FileCard(props: FileCardProps) {
  const { repo, range, file, initial, style, anchor, renderFileMark, isFolded, ...slots } = props;
  const isBig = (file.additions ?? 0) + (file.deletions ?? 0) > BIG_LINES;
  const isDone = isFolded?.(file) ?? false;
  const [isOpen, setOpen] = useState(!isBig && !isDone);
  const [wasDone, setWasDone] = useState(isDone);
  if (wasDone !== isDone) {
    setWasDone(isDone);
    setOpen(!isBig && !isDone);
  }
  const [context, setContext] = useState(DEFAULT_CONTEXT);
  const [ref, isSeen] = useSeen();
  const meaning = file.before?.oid === file.after?.oid ? null : meaningKind(file.path);
  const [view, setView] = useState<FileView>(meaning === 'vocabulary' ? 'meaning' : 'lines');
  const isWanted = isSeen && isOpen;
  const loaded = useFileDiff({ repo, range, file, initial, isWanted: isWanted && view === 'lines', context });
  const hasMore = loaded.state === 'loaded' && loaded.value.view.kind === 'text' && context !== WHOLE_FILE;
  return (
    <section
      ref={ref}
      id={anchor}
      aria-label={visibleText(file.path)}
      tabIndex={-1}
      className="scroll-mt-28 overflow-clip rounded-lg border border-line bg-surface focus-visible:outline-offset-0"
    >
      <CardHead
        {...{ repo, range, file, isOpen }}
        mark={renderFileMark?.(file)}
        choice={isOpen && meaning !== null && <ViewChoice {...{ meaning, view, setView }} />}
        onToggle={() => setOpen((was) => !was)}
        onWhole={
          isOpen && view === 'lines' && hasMore && file.kind !== 'added' ? () => setContext(WHOLE_FILE) : null
        }
      />
      {isOpen ? (
        view === 'meaning' ? (
          <MeaningView {...{ repo, range, file, isWanted }} />
        ) : (
          <DiffBody loaded={loaded} file={file} style={style} {...slots} />
        )
      ) : (
        isBig && !isDone && <Collapsed onOpen={() => setOpen(true)} file={file} />
      )}
    </section>
  );
}

type FileView = 'lines' | 'meaning';

/** Switches between the lines of a file and what they mean. */
function ViewChoice(props: { meaning: MeaningKind; view: FileView; setView: (view: FileView) => void }) {
  const t = useTranslator();
  const words = { card: t('diff.byKey'), config: t('diff.byKey'), vocabulary: t('diff.byToken') };
  const choice = (id: FileView, label: string) => (
    <button
      type="button"
      aria-pressed={props.view === id}
      onClick={() => props.setView(id)}
      className={cn(
        'rounded-md px-1.5 text-xs leading-5 max-md:leading-7',
        props.view === id ? 'bg-surface font-medium shadow-xs' : 'text-muted hover:text-fg',
      )}
    >
      {label}
    </button>
  );
  return (
    <span className="flex shrink-0 rounded-md bg-hover p-0.5">
      {choice('lines', t('diff.byLine'))}
      {choice('meaning', words[props.meaning])}
    </span>
  );
}

function Collapsed({ onOpen, file }: { onOpen: () => void; file: ChangedFile }) {
  const t = useTranslator();
  const lines = (file.additions ?? 0) + (file.deletions ?? 0);
  return (
    <button type="button" onClick={onOpen} className="w-full px-4 py-4 text-sm text-muted hover:bg-hover">
      {t('diff.showBig', { lines })}
    </button>
  );
}

function CardHead(props: {
  repo: RepoRef;
  range: string;
  file: ChangedFile;
  isOpen: boolean;
  mark: ReactNode;
  choice: ReactNode;
  onToggle: () => void;
  onWhole: (() => void) | null;
}) {
  const t = useTranslator();
  const { repo, range, file, isOpen } = props;
  const [from = '', to = ''] = range.split('..');
  const revision = file.after ? to : from;
  const Chevron = isOpen ? ChevronDown : ChevronRight;
  const quiet =
    'inline-flex size-7 shrink-0 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-fg max-md:size-9';
  return (
    <header className="sticky top-14 z-20 flex min-h-10 items-center gap-2 rounded-t-lg border-b border-line bg-sunken px-2 py-1 max-md:flex-wrap">
      <button
        type="button"
        onClick={props.onToggle}
        aria-expanded={isOpen}
        aria-label={t(isOpen ? 'diff.collapse' : 'diff.expand', { path: visibleText(file.path) })}
        className={quiet}
      >
        <Chevron className="size-4" />
      </button>
      <KindMark kind={file.kind} />
      <h3 className="flex min-w-0 flex-1 flex-wrap max-md:basis-3/5 items-center gap-x-1.5 font-mono text-xs break-all">
        {file.oldPath !== null && <span className="text-muted">{visibleText(file.oldPath)} →</span>}
        <span className="font-medium">{visibleText(file.path)}</span>
        <Facts file={file} />
      </h3>
      <CopyButton
        text={file.path}
        label={`${t('words.copy')} ${visibleText(file.path)}`}
        className="max-md:hidden"
      />
      {props.choice}
      <LineCounts file={file} />
      {props.mark}
      {props.onWhole && (
        <button
          type="button"
          onClick={props.onWhole}
          aria-label={t('diff.wholeFile')}
          title={t('diff.wholeFile')}
          className={quiet}
        >
          <UnfoldVertical className="size-4" />
        </button>
      )}
      <ButtonLink
        look="quiet"
        size="icon"
        href={fileAddress(repo, 'blob', revision, file.path)}
        aria-label={t('diff.openFile', { path: visibleText(file.path) })}
        title={t('diff.openFile', { path: visibleText(file.path) })}
        className="size-7 text-muted max-md:size-9"
      >
        <ExternalLink />
      </ButtonLink>
    </header>
  );
}

const modeText = (mode: number) => mode.toString(8).padStart(6, '0');

/** Mode, similarity and size, where they tell something. */
function Facts({ file: { before, after, similarity } }: { file: ChangedFile }) {
  const t = useTranslator();
  const facts: string[] = [];
  if (before && after && before.mode !== after.mode)
    facts.push(t('diff.modeChange', { from: modeText(before.mode), to: modeText(after.mode) }));
  if (similarity !== null && similarity < 100)
    facts.push(t('diff.similarity', { percent: String(similarity) }));
  if (before?.lfs || after?.lfs) {
    const [old, now] = [before && formatSize(before.sizeBytes), after && formatSize(after.sizeBytes)];
    facts.push(
      old && now && before?.lfs?.sha256 !== after?.lfs?.sha256 ? `${old} → ${now}` : (now ?? old ?? ''),
    );
  }
  return facts.map((fact) => (
    <span key={fact} className="rounded-md bg-hover px-1.5 font-sans text-muted">
      {fact}
    </span>
  ));
}
