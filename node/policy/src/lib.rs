//! Eviction and admission policies behind one trait; pure.
