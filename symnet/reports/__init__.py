"""Any noun -> view -> text: HTML, LaTeX, PDF, terminal, Markdown, JSON. Templates hold no logic beyond loops."""
