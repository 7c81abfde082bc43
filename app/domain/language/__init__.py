"""Words and scripts of English and Chinese. Word lists are data, under ``data``; ``phrases`` reads them."""
