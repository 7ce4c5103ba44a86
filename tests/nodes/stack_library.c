/* Loaded by stack_node while it runs. */
__attribute__((visibility("default"))) void library_calls(void (*back)(const char *));

void library_calls(void (*back)(const char *))
{
    back("library"); /* calls back */
    __asm__ volatile("" : : : "memory");
}
