/* The page of drd report, its style and its script, as they stand in src/report/page/. */
    .section .rodata

    .globl report_page_html, report_page_html_end, report_page_css, report_page_css_end, report_page_js, report_page_js_end
    .hidden report_page_html, report_page_html_end, report_page_css, report_page_css_end, report_page_js, report_page_js_end
report_page_html:
    .incbin "report/page/page.html"
report_page_html_end:
report_page_css:
    .incbin "report/page/page.css"
report_page_css_end:
report_page_js:
    .incbin "report/page/page.js"
report_page_js_end:
    .byte 0

    .section .note.GNU-stack, "", @progbits
