import { visibleText } from '#lib/base/visible-text.ts';
import { formatSize } from '../format.ts';
import { hub } from '../hub.ts';
import { MAX_SOURCE_LINES } from '../limits.ts';
import { translator } from '../translator.ts';

/** A text file, line by line; each number is a link to its line (#L12). */
export async function SourceView({ text, path, isCut }: { text: string; path: string; isCut: boolean }) {
  const t = await translator();
  const all = text.replace(/\n$/, '').split(/\r?\n/);
  const source = all.slice(0, MAX_SOURCE_LINES).join('\n');
  const html = await hub().render({ kind: 'source', text: source, path });
  return (
    <>
      {html === null ? (
        <pre className="source p-4">{source}</pre>
      ) : (
        // sourceHtml escapes every character of the file.
        <section
          className="source py-2"
          aria-label={visibleText(path)}
          dangerouslySetInnerHTML={{ __html: html }}
        />
      )}
      {(isCut || all.length > MAX_SOURCE_LINES) && (
        <p className="border-t border-line px-4 py-2.5 text-sm text-muted">
          {t('repo.truncated', { size: formatSize(Buffer.byteLength(source)) })}
        </p>
      )}
    </>
  );
}
