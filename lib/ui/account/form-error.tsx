import { CircleAlert } from 'lucide-react';

/** What was refused, said where the eye is: above the button. */
export function FormError({ error }: { error: string | null }) {
  return (
    <div aria-live="assertive" className="empty:-mt-4">
      {error !== null && (
        <p className="flex items-start gap-2 rounded-md bg-bad-soft px-3 py-2 text-bad">
          <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden="true" />
          <span className="min-w-0 break-words">{error}</span>
        </p>
      )}
    </div>
  );
}
