import { translator } from '../translator.ts';

export async function HomeEndpoints() {
  const t = await translator();
  return <p>{t('home.noEndpoints')}</p>;
}
