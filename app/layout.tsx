import './globals.css';
import type { Metadata, Viewport } from 'next';
import type { ReactNode } from 'react';
import { Frame } from '#lib/ui/frame/frame.tsx';
import { readerWishes } from '#lib/ui/server-context.ts';

export const metadata: Metadata = {
  title: { default: 'Larder', template: '%s · Larder' },
  referrer: 'same-origin',
};

export const viewport: Viewport = { width: 'device-width', initialScale: 1 };

export default async function RootLayout({ children }: { children: ReactNode }) {
  const { language, theme } = await readerWishes();
  return (
    <html lang={language} data-theme={theme === 'system' ? undefined : theme} suppressHydrationWarning>
      <body>
        <Frame>{children}</Frame>
      </body>
    </html>
  );
}
