'use client';

import { Menu as MenuIcon } from 'lucide-react';
import Link from 'next/link';
import { usePathname } from 'next/navigation';
import { cn } from '../cn.ts';
import { Button } from '../kit/button.tsx';
import { Menu, MenuItem } from '../kit/menu.tsx';

interface NavLink {
  readonly href: string;
  readonly label: string;
}

/** The main ways through the hub: side by side where there is room, in a menu on phones. */
export function NavLinks(props: { links: readonly NavLink[]; label: string; menuLabel: string }) {
  const path = usePathname();
  const isCurrent = (href: string) => path === href || path.startsWith(`${href}/`);
  return (
    <>
      <nav aria-label={props.label} className="flex items-center gap-0.5 max-md:hidden">
        {props.links.map((link) => (
          <Link
            key={link.href}
            href={link.href}
            aria-current={isCurrent(link.href) ? 'page' : undefined}
            className={cn(
              'rounded-md px-2.5 py-1 text-muted hover:bg-hover hover:text-fg',
              isCurrent(link.href) && 'font-medium text-fg',
            )}
          >
            {link.label}
          </Link>
        ))}
      </nav>
      <nav aria-label={props.label} className="-ml-2 md:hidden">
        <Menu
          align="start"
          trigger={
            <Button look="quiet" size="icon" aria-label={props.menuLabel}>
              <MenuIcon />
            </Button>
          }
        >
          {props.links.map((link) => (
            <MenuItem key={link.href} asChild>
              <Link href={link.href}>{link.label}</Link>
            </MenuItem>
          ))}
        </Menu>
      </nav>
    </>
  );
}
