/** The house mark: a jar on a shelf. Decoration beside the word, so hidden from readers of text. */
export function Mark({ size = 20 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" fill="none" aria-hidden="true">
      <path d="M6 2.5h8" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
      <path
        d="M7 4.5v1.2c0 .5-.3.9-.7 1.2A3.4 3.4 0 0 0 5 9.6v4.9c0 .8.7 1.5 1.5 1.5h7c.8 0 1.5-.7 1.5-1.5V9.6c0-1.1-.5-2-1.3-2.7-.4-.3-.7-.7-.7-1.2V4.5"
        stroke="currentColor"
        strokeWidth="1.6"
      />
      <path d="M5.8 10.2h8.4v4.6c0 .2-.2.4-.4.4H6.2a.4.4 0 0 1-.4-.4z" fill="var(--accent)" />
      <path d="M1.5 18h17" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" />
    </svg>
  );
}
