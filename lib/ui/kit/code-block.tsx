import { cn } from '../cn.ts';
import { CopyButton } from './copy-button.tsx';

/** Commands or code to take along: copied with one press, scrolled sideways rather than wrapped. */
export function CodeBlock({ code, className, label }: { code: string; className?: string; label?: string }) {
  return (
    <div
      className={cn(
        'group relative w-full min-w-0 rounded-md border border-line bg-sunken text-left',
        className,
      )}
    >
      <pre className="overflow-x-auto py-2.5 pr-12 pl-3 text-sm leading-5 max-md:text-xs">
        <code>{code}</code>
      </pre>
      <CopyButton text={code} {...(label && { label })} className="absolute top-1.5 right-1.5 bg-sunken" />
    </div>
  );
}
