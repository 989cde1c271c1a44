'use client';

import type { EditorView } from '@codemirror/view';
import { useEffect, useRef, useState } from 'react';

export interface CodeEditorProps {
  /** The text to begin with; later changes of it are not taken. */
  readonly text: string;
  /** Decides the language. */
  readonly path: string;
  readonly label: string;
  /** Called with the whole text after every change. A new function begins a new editor: keep it the same. */
  readonly onChange: (text: string) => void;
}

/**
 * A text editor. Its code is loaded when it is first shown; until then, and where it cannot be, a plain text area
 * does the same. Tab leaves it, as everywhere on a page.
 */
export function CodeEditor({ text, path, label, onChange }: CodeEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const current = useRef(text);
  const view = useRef<EditorView | null>(null);
  const [isReady, setReady] = useState(false);

  useEffect(() => {
    let gone = false;
    const open = async () => {
      const { openEditor } = await import('./open-editor.ts');
      if (gone || host.current === null) return;
      view.current = openEditor(host.current, {
        text: current.current,
        label,
        onChange: (next) => {
          current.current = next;
          onChange(next);
        },
      });
      setReady(true);
    };
    void open().catch(() => {}); // the plain text area stays
    return () => {
      gone = true;
      view.current?.destroy();
      view.current = null;
    };
  }, [label, onChange]);

  useEffect(() => {
    if (!isReady) return;
    void import('./open-editor.ts').then(
      ({ setLanguage }) => view.current && setLanguage(view.current, path),
    );
  }, [isReady, path]);

  return (
    <>
      <div ref={host} hidden={!isReady} className="code-editor" />
      {!isReady && (
        <textarea
          aria-label={label}
          defaultValue={text}
          spellCheck={false}
          rows={24}
          onChange={(event) => {
            current.current = event.target.value;
            onChange(event.target.value);
          }}
          className="block w-full resize-y bg-surface px-4 py-3 font-mono text-sm focus-visible:-outline-offset-2"
        />
      )}
    </>
  );
}
