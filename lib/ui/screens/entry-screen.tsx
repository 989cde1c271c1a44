import { Lock } from 'lucide-react';
import Link from 'next/link';
import { redirect } from 'next/navigation';
import { SignInForm } from '../account/sign-in-form.tsx';
import { SignUpForm } from '../account/sign-up-form.tsx';
import { safeNext } from '../addresses.ts';
import { Mark } from '../kit/mark.tsx';
import { Panel } from '../kit/panel.tsx';
import { MIN_PASSWORD_LENGTH } from '../limits.ts';
import { pageContext } from '../server-context.ts';
import { translator } from '../translator.ts';

const linkClasses = 'font-medium text-accent-text underline underline-offset-2';

/** The door: sign in, or make an account. Who is in already goes on to `next`. */
export async function EntryScreen({ mode, next }: { mode: 'signIn' | 'signUp'; next: string | undefined }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const target = safeNext(next);
  if (ctx.principal.kind === 'user') redirect(target);
  const isOpen = ctx.config.LARDER_SIGNUP;
  const query = target === '/' ? '' : `?next=${encodeURIComponent(target)}`;
  const signIn = mode === 'signIn';
  return (
    <div className="mx-auto flex max-w-sm flex-col gap-4 pt-6 md:pt-14">
      <h1 className="flex items-center gap-2.5 text-xl font-semibold">
        <Mark size={26} />
        {t(signIn ? 'account.signInTitle' : 'account.signUpTitle')}
      </h1>
      <Panel className="p-5">
        {signIn && <SignInForm next={target} />}
        {!signIn && isOpen && <SignUpForm next={target} minPasswordLength={MIN_PASSWORD_LENGTH} />}
        {!signIn && !isOpen && (
          <p className="flex gap-2">
            <Lock className="mt-0.5 size-4 shrink-0 text-muted" aria-hidden="true" />
            {t('account.signUpClosed')}
          </p>
        )}
      </Panel>
      {signIn && isOpen && (
        <p className="text-muted">
          {t('account.noAccount')}{' '}
          <Link href={`/signup${query}`} className={linkClasses}>
            {t('account.signUp')}
          </Link>
        </p>
      )}
      {!signIn && (
        <p className="text-muted">
          {t('account.haveAccount')}{' '}
          <Link href={`/login${query}`} className={linkClasses}>
            {t('account.signIn')}
          </Link>
        </p>
      )}
    </div>
  );
}
