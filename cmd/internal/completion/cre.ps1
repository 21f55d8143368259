# Completion of cre for PowerShell 5.1 and later. It asks cre __complete, which
# starts nothing and reads nothing.

Register-ArgumentCompleter -Native -CommandName 'cre', 'cre.exe' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $words = @($commandAst.CommandElements |
        Select-Object -Skip 1 |
        Where-Object { $_.Extent.StartOffset -lt $cursorPosition } |
        ForEach-Object { $_.Extent.Text })
    if ($wordToComplete -eq '') {
        # Before 7.3, PowerShell drops an argument that is empty.
        if ($PSVersionTable.PSVersion -lt [Version]'7.3') { $words += '""' } else { $words += '' }
    }
    $program = Get-Command -Name 'cre' -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if (-not $program) { return }
    $lines = @($null | & $program.Source '__complete' @words 2>$null)

    # The value in --flag=value is completed alone; PowerShell wants the whole word.
    $flag = ''
    if ($wordToComplete -match '^-[^=]*=') { $flag = $Matches[0] }
    $files = $false
    $found = @(foreach ($line in $lines) {
        if ($line -eq ':0') { $files = $true; continue }
        if ($line.StartsWith(':')) { continue }
        $candidate, $usage = $line -split "`t", 2
        if (-not $usage) { $usage = $candidate }
        [System.Management.Automation.CompletionResult]::new("$flag$candidate", $candidate, 'ParameterValue', $usage)
    })
    if ($found.Count -gt 0) { return $found }
    # Without an answer, PowerShell offers files; an empty text is one.
    if (-not $files) { return '' }
}
