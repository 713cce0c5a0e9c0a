/** The connection as the line shows it: bad news only after it has stayed true, see `settle.ts`. */
import { useEffect, useState } from 'react';
import type { ConnectionView } from '../../../shared/views.ts';
import { useView } from '../../store.ts';
import { settleDelayMs } from './settle.ts';

export function useSettledConnection(): ConnectionView {
  const current = useView((view) => view.connection);
  const [shown, setShown] = useState(current);
  const delayMs = settleDelayMs(shown, current);
  useEffect(() => {
    const timer = setTimeout(() => setShown(current), delayMs);
    return () => clearTimeout(timer);
  }, [current, delayMs]);
  return delayMs === 0 ? current : shown;
}
