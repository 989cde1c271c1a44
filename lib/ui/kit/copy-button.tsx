'use client';

import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { toast } from 'sonner';
import { cn } from '../cn.ts';
import { copyText } from '../copy-text.ts';
import { useTranslator } from '../reader.tsx';

const SHOW_DONE_MS = 1_600;

/** Copies `text`; says that it did for a moment. `label` names what is copied, for readers of text. */
export function CopyButton({ text, label, className }: { text: string; label?: string; className?: string }) {
  const t = useTranslator();
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), SHOW_DONE_MS);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = () =>
    copyText(text).then(
      () => setDone(true),
      () => toast.error(t('words.copyFailed')),
    );
  const name = done ? t('words.copied') : (label ?? t('words.copy'));
  return (
    <button
      type="button"
      onClick={() => void copy()}
      aria-label={name}
      title={name}
      className={cn(
        'inline-flex size-7 shrink-0 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-fg max-md:size-9',
        className,
      )}
    >
      {done ? <Check className="size-4 text-ok" /> : <Copy className="size-4" />}
    </button>
  );
}
