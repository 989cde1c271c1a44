import Link from 'next/link';
import { ButtonLink } from '../kit/button.tsx';
import { Mark } from '../kit/mark.tsx';
import { pageContext, readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';
import { AccountMenu, NewMenu } from './account-menu.tsx';
import { CommandPalette } from './command-palette.tsx';
import { NavLinks } from './nav-links.tsx';
import { LanguageMenu, ThemeMenu } from './preferences.tsx';

/** The one slim bar over every page. */
export async function TopBar() {
  const [t, { theme }, { principal }] = await Promise.all([translator(), readerWishes(), pageContext()]);
  const links = [
    { href: '/models', label: t('frame.models') },
    { href: '/datasets', label: t('frame.datasets') },
    { href: '/endpoints', label: t('frame.endpoints') },
  ];
  return (
    <header className="sticky top-0 z-40 border-b border-line bg-bg">
      <div className="mx-auto flex h-12 max-w-[1328px] items-center gap-1.5 px-4 max-md:h-14 md:px-6">
        <Link href="/" className="mr-2 flex h-10 items-center gap-2 font-semibold tracking-tight">
          <Mark />
          <span className="max-sm:sr-only">Larder</span>
        </Link>
        <NavLinks links={links} label={t('frame.main')} menuLabel={t('frame.menu')} />
        <div className="ml-auto flex items-center gap-1 md:gap-1.5">
          <CommandPalette signedIn={principal.kind === 'user'} />
          {principal.kind === 'user' && <NewMenu />}
          <LanguageMenu />
          <ThemeMenu initial={theme} />
          {principal.kind === 'user' ? (
            <AccountMenu name={principal.name} />
          ) : (
            <ButtonLink href="/login" look="plain" size="sm">
              {t('frame.signIn')}
            </ButtonLink>
          )}
        </div>
      </div>
    </header>
  );
}
