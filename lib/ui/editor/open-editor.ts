import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import { markdown } from '@codemirror/lang-markdown';
import { python } from '@codemirror/lang-python';
import { yaml, yamlFrontmatter } from '@codemirror/lang-yaml';
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const language = new Compartment();

/** The house's colours, light and dark through the same variables as every page. */
const theme = EditorView.theme({
  '&': { backgroundColor: 'var(--surface)', color: 'var(--fg)', fontSize: '13px' },
  '&.cm-focused': { outline: '2px solid var(--ring)', outlineOffset: '-2px' },
  '.cm-scroller': {
    fontFamily: 'var(--font-mono)',
    lineHeight: '20px',
    maxHeight: '70vh',
    overflow: 'auto',
  },
  '.cm-content, .cm-gutters': { minHeight: '24rem' },
  '.cm-content': { caretColor: 'var(--fg)', padding: '12px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--fg)' },
  '.cm-gutters': { backgroundColor: 'var(--sunken)', color: 'var(--muted)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--hover)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--accent-soft)',
  },
  '.cm-panels': { backgroundColor: 'var(--sunken)', color: 'var(--fg)' },
  '.cm-searchMatch': { backgroundColor: 'var(--warn-soft)' },
});

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: 'var(--bad)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--ok)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--info)' },
  {
    tag: [tags.propertyName, tags.definition(tags.propertyName), tags.labelName],
    color: 'var(--accent-text)',
  },
  { tag: [tags.comment, tags.meta], color: 'var(--muted)' },
  { tag: tags.heading, fontWeight: '600' },
  { tag: tags.strong, fontWeight: '600' },
  { tag: tags.emphasis, fontStyle: 'italic' },
  { tag: [tags.link, tags.url], color: 'var(--accent-text)', textDecoration: 'underline' },
]);

function languageOf(path: string): Extension {
  if (/\.(?:md|markdown)$/i.test(path)) return yamlFrontmatter({ content: markdown() });
  if (/\.(?:json|jsonl|ipynb)$/i.test(path)) return json();
  if (/\.ya?ml$/i.test(path)) return yaml();
  if (/\.pyi?$/i.test(path)) return python();
  return [];
}

/** Shows an editor in `parent`. The text keeps its kind of line ends. */
export function openEditor(
  parent: HTMLElement,
  options: { text: string; label: string; onChange: (text: string) => void },
): EditorView {
  const lineEnd = /\r\n/.test(options.text) && !/[^\r]\n/.test(options.text) ? '\r\n' : '\n';
  return new EditorView({
    parent,
    doc: options.text,
    extensions: [
      EditorState.lineSeparator.of(lineEnd),
      lineNumbers(),
      history(),
      drawSelection(),
      indentOnInput(),
      bracketMatching(),
      highlightActiveLine(),
      highlightSelectionMatches(),
      syntaxHighlighting(colours),
      keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap]),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ 'aria-label': options.label, spellcheck: 'false' }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) options.onChange(update.state.sliceDoc());
      }),
      language.of([]),
      theme,
    ],
  });
}

/** Colours the text as the file's name says. */
export function setLanguage(view: EditorView, path: string): void {
  view.dispatch({ effects: language.reconfigure(languageOf(path)) });
}
