/** The store that the tests of the mailbox role run over keeps the same contract. */
import { MemoryMailStore } from '../../../engine/mail/mailbox-memory-store.ts';
import { mailStoreConformance } from './conformance.ts';

mailStoreConformance('MemoryMailStore', () => ({ store: new MemoryMailStore(), close: () => undefined }));
