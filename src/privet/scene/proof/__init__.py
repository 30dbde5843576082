"""How a block becomes background: stillness, looks, promotion, signing."""
