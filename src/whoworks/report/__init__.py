"""The report: document, sentences, tables, figures, disclosure control and the PDF."""
