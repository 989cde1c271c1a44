/** A letter on a colour of its own for each name: no pictures are fetched from anywhere. */
export function Avatar({ name, size = 24 }: { name: string; size?: number }) {
  let hash = 0;
  for (const char of name) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) % 360;
  const letter = [...name.replace(/^_+/, '')][0]?.toUpperCase() ?? '?';
  return (
    <span
      aria-hidden="true"
      className="inline-flex shrink-0 items-center justify-center rounded-full font-semibold"
      style={{
        width: size,
        height: size,
        fontSize: size * 0.46,
        background: `light-dark(hsl(${hash} 42% 86%), hsl(${hash} 26% 28%))`,
        color: `light-dark(hsl(${hash} 60% 22%), hsl(${hash} 50% 88%))`,
      }}
    >
      {letter}
    </span>
  );
}
